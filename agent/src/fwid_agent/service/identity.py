"""What an agent is known by: files beside its store that go with it to another machine."""

CERTIFICATE = "certificate.pem"  # with its key: clients have pinned it
TOKENS = "tokens.json"  # of those who were let in, as hashes
IDENTITY = (CERTIFICATE, TOKENS)
