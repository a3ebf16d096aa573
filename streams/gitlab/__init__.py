"""GitLab: what each kind of its payloads tells. ``transformers.gitlab`` says which is which."""
