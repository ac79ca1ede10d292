"""How counters are counted: by differences of neighbouring samples in blocks of one absolute grid, and what
the server's differences miss put right.
"""
