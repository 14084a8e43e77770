package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// pollInterval is how often a condition is looked at again: these are
// conditions of a whole cluster, for which there is no one watch.
const pollInterval = 200 * time.Millisecond

// waitReady returns once the API server answers /readyz with 200.
func waitReady(args []string) error {
	flags := flag.NewFlagSet("ready", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "a user who may read /readyz")
	timeout := flags.Duration("timeout", time.Minute, "how long to wait")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := restConfig(*kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return until(*timeout, func(ctx context.Context) error {
		body, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").Param("verbose", "").DoRaw(ctx)
		if err != nil && len(body) > 0 {
			return fmt.Errorf("%w: %s", err, body)
		}
		return err
	})
}

// restConfig loads a kubeconfig without the client's own rate limit, whose five
// requests a second would take most of the time of a seed.
func restConfig(kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig %q: %w", kubeconfig, err)
	}
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	config.Timeout = 20 * time.Second
	return config, nil
}

// until repeats a check until it passes. The error of a check that never passed
// is the last it gave.
func until(timeout time.Duration, check func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(context.Background(), pollInterval, timeout, true,
		func(ctx context.Context) (bool, error) {
			last = check(ctx)
			return last == nil, nil
		})
	if err != nil {
		return fmt.Errorf("not within %s: %w", timeout, errors.Join(last))
	}
	return nil
}
