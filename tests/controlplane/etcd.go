package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// runEtcd serves one member without fsync: a test's data may be lost with the
// machine, and not waiting for the disk is most of what makes a start quick.
func runEtcd(args []string) int {
	return fallible(serveEtcd)(args)
}

func serveEtcd(args []string) error {
	flags := flag.NewFlagSet("etcd", flag.ExitOnError)
	dataDir := flags.String("data-dir", "", "where the data lives")
	listen := flags.String("listen-client-url", "", "where clients are served, as in http://127.0.0.1:2379")
	if err := flags.Parse(args); err != nil {
		return err
	}
	client, err := url.Parse(*listen)
	if err != nil || client.Port() == "" {
		return fmt.Errorf("--listen-client-url %q: want http://HOST:PORT", *listen)
	}
	member, err := embed.StartEtcd(etcdConfig(*dataDir, *client))
	if err != nil {
		return fmt.Errorf("start etcd: %w", err)
	}
	defer member.Close()
	return untilStopped(member)
}

func etcdConfig(dataDir string, client url.URL) *embed.Config {
	// A single member talks to no peer; the port that it insists on is any.
	peer := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config := embed.NewConfig()
	config.Dir = dataDir
	config.ListenClientUrls = []url.URL{client}
	config.AdvertiseClientUrls = []url.URL{client}
	config.ListenPeerUrls = []url.URL{peer}
	config.AdvertisePeerUrls = []url.URL{peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.UnsafeNoFsync = true
	config.LogLevel = "warn"
	config.LogOutputs = []string{"stderr"}
	return config
}

func untilStopped(member *embed.Etcd) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	select {
	case <-member.Server.ReadyNotify():
	case <-time.After(time.Minute):
		return fmt.Errorf("etcd was not ready within a minute")
	}
	select {
	case <-signals:
		return nil
	case err := <-member.Err():
		return fmt.Errorf("etcd stopped: %w", err)
	case <-member.Server.StopNotify():
		return fmt.Errorf("etcd stopped by itself")
	}
}
