"""What each panel says, one file a panel: its rows, marks, words, axes and table. `draw` shows it, as a
picture
and on the web page.
"""
