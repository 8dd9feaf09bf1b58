"""Posts out of files: the raw X API form, plain JSON lines, and CSV. Streamed, byte for byte."""
