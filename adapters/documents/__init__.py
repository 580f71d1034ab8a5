"""What a loop looks like as data: the JSON that every verb prints."""
