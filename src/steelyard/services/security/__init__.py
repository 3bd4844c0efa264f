"""Who may ask what, and how much of it. In comes a request, out goes the caller's role, or a
refusal.

    framing      bytes to requests: strict HTTP/1.1, slow and idle connections
    gate         around every application: all below, in order
    heads        what of a head is refused before anybody asks who sent it; hosts: the Host header
    keyring      whose a token is, as of now
    book         the tokens that were created; tokens: the machine's own; private: their files
    callers      roles, and who asks; roles: the mark that every route carries
    rates        how often; limits: how much, one table
    bodies       the body of a request, strict: JSON that no two readers read differently
    reply        headers of every answer; refusal: a request that is not let through
    audit        a line for each refusal and each change
    keys         no key of a broker is here
"""
