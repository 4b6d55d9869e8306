// Command render fills in a template of the chart as Helm does. The chart keeps to what Go's own
// text/template knows, so that this is all it takes. The values come as JSON on standard input.
package main

import (
	"encoding/json"
	"log"
	"os"
	"text/template"
)

func main() {
	log.SetFlags(0)
	var values map[string]interface{}
	if err := json.NewDecoder(os.Stdin).Decode(&values); err != nil {
		log.Fatalf("values: %v", err)
	}
	parsed, err := template.New("").Option("missingkey=error").ParseFiles(os.Args[1:]...)
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range parsed.Templates() {
		if _, err := os.Stdout.WriteString("\n---\n"); err != nil {
			log.Fatal(err)
		}
		if err := file.Execute(os.Stdout, values); err != nil {
			log.Fatal(err)
		}
	}
}
