"""Research: training, evaluation, figures. Nothing else imports it."""
