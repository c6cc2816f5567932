"""Keep a readable, publishable mirror of news outlets that their readers cannot open."""
