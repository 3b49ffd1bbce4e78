print("skip")
