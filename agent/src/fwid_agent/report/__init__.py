"""Pictures and pages for people; takes plain values, knows no store."""
