"""What users and authors of backends test with: recording senders, conformance tests."""
