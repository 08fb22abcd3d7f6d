"""Training: labelled faces in, weights with their measured error out (extra ``train``)."""
