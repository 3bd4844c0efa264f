"""What would change the plan, and how sure it is: each solves again with one thing changed."""
