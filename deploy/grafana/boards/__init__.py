"""Grafana's dashboards as code: ``python -m deploy.grafana.boards.write`` writes the files that Grafana is provisioned with."""
