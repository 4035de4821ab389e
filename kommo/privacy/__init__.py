"""What people may ask of those who keep their data: find them, give them what is kept, erase them; and how long."""
