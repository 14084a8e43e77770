package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"embed"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"text/template"

	"k8s.io/client-go/util/keyutil"
)

//go:embed config
var configFiles embed.FS

// clusterFiles says where a cluster's files go and what they are to contain.
type clusterFiles struct {
	Dir      string
	Name     string
	Server   string
	KwokPort int
}

// prepare writes all that the components of one cluster read from disk before
// any of them runs: certificates, kubeconfigs, policies, kwok's stages.
//
// A directory that was prepared before is written anew, which replaces the
// authority too; callers prepare a cluster once.
func prepare(args []string) error {
	flags := flag.NewFlagSet("prepare", flag.ExitOnError)
	files := clusterFiles{}
	flags.StringVar(&files.Dir, "dir", "", "directory of the cluster")
	flags.StringVar(&files.Name, "name", "", "name of the cluster, and of its contexts")
	flags.StringVar(&files.Server, "server", "", "address of the API server, as in https://127.0.0.1:6443")
	flags.IntVar(&files.KwokPort, "kwok-port", 0, "port at which kwok stands in for every kubelet")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for _, sub := range []string{"pki", "kubeconfig", "config"} {
		if err := os.MkdirAll(filepath.Join(files.Dir, sub), 0o755); err != nil {
			return err
		}
	}
	if err := files.writeIdentities(); err != nil {
		return err
	}
	if err := files.writePodLogs(); err != nil {
		return err
	}
	return files.writeConfig()
}

// writeIdentities makes the authorities and everything that they sign.
func (f clusterFiles) writeIdentities() error {
	cluster, err := newAuthority("kubeplex-test-" + f.Name)
	if err != nil {
		return err
	}
	if err := f.writeAuthority("ca", cluster); err != nil {
		return err
	}
	if err := f.writeServing(cluster); err != nil {
		return err
	}
	if err := f.writeFrontProxy(); err != nil {
		return err
	}
	if err := f.writeServiceAccountKey(); err != nil {
		return err
	}
	return f.writeKubeconfigs(cluster)
}

func (f clusterFiles) writeAuthority(name string, authority *authority) error {
	key, err := keyutil.MarshalPrivateKeyToPEM(authority.key)
	if err != nil {
		return err
	}
	return identity{certificate: authority.pem(), key: key}.write(f.pki(), name)
}

// writeServing issues what the servers show, and what the API server shows to
// the kubelet (which is kwok).
func (f clusterFiles) writeServing(cluster *authority) error {
	firstService := net.IPv4(10, 96, 0, 1)
	apiserver, err := cluster.server("kube-apiserver", []net.IP{firstService},
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
	if err != nil {
		return err
	}
	if err := apiserver.write(f.pki(), "apiserver"); err != nil {
		return err
	}
	kubelet, err := cluster.server("kwok", nil)
	if err != nil {
		return err
	}
	if err := kubelet.write(f.pki(), "kubelet"); err != nil {
		return err
	}
	toKubelet, err := cluster.client("kube-apiserver-kubelet-client", "kubeadm:cluster-admins")
	if err != nil {
		return err
	}
	return toKubelet.write(f.pki(), "apiserver-kubelet-client")
}

// writeFrontProxy makes the second authority, with which the API server proves
// to an aggregated one that a request was authenticated.
func (f clusterFiles) writeFrontProxy() error {
	proxy, err := newAuthority("kubeplex-test-front-proxy-" + f.Name)
	if err != nil {
		return err
	}
	if err := f.writeAuthority("front-proxy-ca", proxy); err != nil {
		return err
	}
	client, err := proxy.client("front-proxy-client")
	if err != nil {
		return err
	}
	return client.write(f.pki(), "front-proxy-client")
}

func (f clusterFiles) writeServiceAccountKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(f.pki(), "service-account.key"), private, 0o600)
}

// writeConfig renders the embedded configuration files. Their own templates are
// kwok's and use curly braces, hence the square ones here.
func (f clusterFiles) writeConfig() error {
	templates, err := template.New("").Delims("[[", "]]").ParseFS(configFiles, "config/*.yaml")
	if err != nil {
		return err
	}
	for _, file := range templates.Templates() {
		if filepath.Ext(file.Name()) != ".yaml" {
			continue
		}
		var text bytes.Buffer
		if err := file.Execute(&text, configValues{clusterFiles: f, Fates: fates}); err != nil {
			return fmt.Errorf("render %s: %w", file.Name(), err)
		}
		if err := os.WriteFile(filepath.Join(f.Dir, "config", file.Name()), text.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// configValues is what the configuration templates can name.
type configValues struct {
	clusterFiles
	Fates []fate
}

func (f clusterFiles) pki() string {
	return filepath.Join(f.Dir, "pki")
}
