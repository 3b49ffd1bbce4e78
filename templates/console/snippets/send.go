package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

const base = "http://127.0.0.1:8080"

var client = &http.Client{Timeout: 10 * time.Second}

// Sends until it is answered, with one key for all tries: it has one effect however often it arrives.
func post(path string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	key := make([]byte, 16)
	rand.Read(key)
	for left := 4; ; left-- {
		request, err := http.NewRequest("POST", base+path, bytes.NewReader(data))
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+os.Getenv("POSTERN_API_KEY"))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", fmt.Sprintf("%x", key))
		wait := 1
		answer, err := client.Do(request)
		if err == nil {
			text, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			if answer.StatusCode < 300 {
				return json.Unmarshal(text, into)
			}
			err = fmt.Errorf("%s", text)
			asked, no := strconv.Atoi(answer.Header.Get("Retry-After"))
			if no == nil {
				wait = asked
			} else if answer.StatusCode < 500 {
				return err // any other refusal is final
			}
		}
		if left == 0 {
			return err
		}
		time.Sleep(time.Duration(wait) * time.Second)
	}
}

func main() {
	var sent, checked struct {
		ID, Status string
	}
	if err := post("/v1/verifications", map[string]string{"to": "+15005550000"}, &sent); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sent.ID, sent.Status)
	fmt.Print("The code? ")
	var code string
	fmt.Scan(&code)
	if err := post("/v1/verifications/"+sent.ID+"/check", map[string]string{"code": code}, &checked); err != nil {
		log.Fatal(err)
	}
	fmt.Println(checked.Status)
}
