"""What both of the pages are made of: sessions, forms, headers, words and the way to the services."""
