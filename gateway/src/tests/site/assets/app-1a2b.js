console.log("This stands for the script of the dashboard in tests.");
