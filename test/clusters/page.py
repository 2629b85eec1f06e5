def run(engine, home, folder):
    return "none"
