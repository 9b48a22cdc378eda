"""Plans by insertion: each test is put where it fits best, and some are taken out and put back to find better plans."""
