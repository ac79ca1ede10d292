"""Who may see the page: passwords, sessions, proxies, security headers, and what a refusal looks like."""
