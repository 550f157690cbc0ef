// webpush-go as a sender: SendNotification as its README calls it, and what the response says.
package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/SherClockHolmes/webpush-go"
)

type job struct {
	Op           string
	Subscription webpush.Subscription
	Payload      []byte
	TTL          int
	Urgency      webpush.Urgency
	Topic        string
	VAPID        struct {
		Subject    string
		PublicKey  string `json:"public_key"`
		PrivateKey string `json:"private_key"`
	}
}

type result struct {
	OK         bool   `json:"ok"`
	Status     int    `json:"status,omitempty"`
	RetryAfter any    `json:"retry_after,omitempty"`
	Error      string `json:"error,omitempty"`
}

type hello struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Ops      []string `json:"ops"`
	Language string   `json:"language"`
}

func main() {
	jobs, results := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var next job
		if err := jobs.Decode(&next); err == io.EOF {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		if err := results.Encode(answer(next)); err != nil {
			log.Fatal(err)
		}
	}
}

func answer(job job) any {
	if job.Op == "hello" {
		return hello{"webpush-go", version(), []string{"send"}, "Go"}
	}
	return send(job)
}

// What SendNotification takes for success: it knows errors of its own and of the connection, and
// leaves the status to its caller.
func send(job job) result {
	response, err := webpush.SendNotification(job.Payload, &job.Subscription, &webpush.Options{
		// It takes a plain address, and makes a mailto: URI of it.
		Subscriber:      strings.TrimPrefix(job.VAPID.Subject, "mailto:"),
		Topic:           job.Topic,
		TTL:             job.TTL,
		Urgency:         job.Urgency,
		VAPIDPublicKey:  job.VAPID.PublicKey,
		VAPIDPrivateKey: job.VAPID.PrivateKey,
	})
	if err != nil {
		return result{Error: err.Error()}
	}
	defer response.Body.Close()
	reason, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	return result{true, response.StatusCode, retryAfter(response.Header), string(reason)}
}

// Seconds, a date, or nil.
func retryAfter(header http.Header) any {
	field := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(field); err == nil {
		return seconds
	}
	if field == "" {
		return nil
	}
	return field
}

func version() string {
	build, _ := debug.ReadBuildInfo()
	for _, module := range build.Deps {
		if module.Path == "github.com/SherClockHolmes/webpush-go" {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return ""
}
