"""The made corpus: real device software in real versions, in a home of network namespaces."""
