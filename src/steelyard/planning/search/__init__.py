"""Arrays only: collapse the score onto the candidate table, evaluate batches, keep the best few.

In: the score model, the table's rows as arrays. Out: net improvements and the best rows. Every
order of arrival and every batch size gives the same bits.
"""
