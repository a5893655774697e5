"""The packages in this folder are tested where they are installed: by test_plugin_packages.py, not from here."""

collect_ignore = ["my_agent", "my_game", "my_recipe"]
