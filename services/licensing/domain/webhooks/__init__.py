"""Where recalls are announced: which addresses are taken, how a message is signed, when it is tried again."""
