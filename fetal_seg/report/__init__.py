"""Pages, figures and tables to look at: reads results, and knows no network."""
