"""Where subscriptions, messages, the journal and the clocks are kept."""
