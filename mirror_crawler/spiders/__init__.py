"""The outlets, one module each. Scrapy's spider loader finds them; there is no list of outlets to edit."""
