package main

import (
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/SherClockHolmes/webpush-go"
)

type Job struct {
	Op           string
	Subscription webpush.Subscription
	Payload      []byte // encoding/json reads base64
	TTL          int
	Urgency      webpush.Urgency
	Topic        string
	Vapid        struct {
		Subject    string
		PublicKey  string `json:"public_key"`
		PrivateKey string `json:"private_key"`
	}
}

func answer(job Job) map[string]any {
	if job.Op == "hello" {
		return map[string]any{"name": "my sender", "ops": []string{"send"}}
	}
	response, err := webpush.SendNotification(job.Payload, &job.Subscription, &webpush.Options{
		Subscriber:      strings.TrimPrefix(job.Vapid.Subject, "mailto:"),
		VAPIDPublicKey:  job.Vapid.PublicKey,
		VAPIDPrivateKey: job.Vapid.PrivateKey,
		TTL:             job.TTL, Urgency: job.Urgency, Topic: job.Topic,
	})
	if err != nil {
		return map[string]any{"ok": false, "error": err.Error()}
	}
	defer response.Body.Close()
	reason, _ := io.ReadAll(response.Body)
	status := response.StatusCode
	return map[string]any{"ok": status < 300, "status": status, "error": string(reason)}
}

func main() {
	jobs, results := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for job := (Job{}); jobs.Decode(&job) == nil; job = (Job{}) {
		results.Encode(answer(job))
	}
}
