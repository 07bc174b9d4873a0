"""What searches leave behind: records, the search space, histories, collections of them."""
