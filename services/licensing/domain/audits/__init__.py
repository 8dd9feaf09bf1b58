"""What an audit of the ledger compares. Everything here is pure; what is compared is read elsewhere."""
