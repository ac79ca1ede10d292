"""The page's words as trees of Dash components, each made of a report by a plain function."""
