package main

import (
	"flag"
	"fmt"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// account is a client certificate's owner: who the API server takes its holder for.
type account struct {
	file   string
	user   string
	groups []string
}

// componentAccounts are the users of the control plane itself; their rights are
// Kubernetes' own bootstrap roles. Kwok plays every node, so it gets all rights;
// metrics-server has no bootstrap role, and starts before there are others.
var componentAccounts = []account{
	{file: "controller-manager", user: "system:kube-controller-manager"},
	{file: "scheduler", user: "system:kube-scheduler"},
	{file: "kwok", user: "kwok", groups: []string{"system:masters"}},
	{file: "metrics-server", user: "metrics-server", groups: []string{"system:masters"}},
	{file: "admin", user: "admin", groups: []string{"system:masters"}},
}

// personAccounts are the users of the tests, by the suffix of their context.
// seed/rbac.yaml binds their groups.
var personAccounts = map[string]account{
	"":        {user: "admin", groups: []string{"system:masters"}},
	"-reader": {user: "reader", groups: []string{"kubeplex-test:readers"}},
	"-shop":   {user: "shop", groups: []string{"kubeplex-test:shop"}},
	"-nobody": {user: "nobody", groups: []string{"kubeplex-test:nobodies"}},
}

// writeKubeconfigs writes one file for each component and one, users.yaml, with
// a context for each person.
func (f clusterFiles) writeKubeconfigs(cluster *authority) error {
	for _, account := range componentAccounts {
		config := clientcmdapi.NewConfig()
		if err := f.addContext(config, cluster, f.Name, account); err != nil {
			return err
		}
		config.CurrentContext = f.Name
		if err := clientcmd.WriteToFile(*config, f.kubeconfig(account.file)); err != nil {
			return err
		}
	}
	users := clientcmdapi.NewConfig()
	for suffix, account := range personAccounts {
		if err := f.addContext(users, cluster, f.Name+suffix, account); err != nil {
			return err
		}
	}
	users.Contexts[f.Name+"-shop"].Namespace = "shop"
	return clientcmd.WriteToFile(*users, f.kubeconfig("users"))
}

func (f clusterFiles) addContext(config *clientcmdapi.Config, cluster *authority, context string, account account) error {
	identity, err := cluster.client(account.user, account.groups...)
	if err != nil {
		return err
	}
	config.Clusters[f.Name] = &clientcmdapi.Cluster{Server: f.Server, CertificateAuthorityData: cluster.pem()}
	config.AuthInfos[context] = &clientcmdapi.AuthInfo{
		ClientCertificateData: identity.certificate,
		ClientKeyData:         identity.key,
	}
	config.Contexts[context] = &clientcmdapi.Context{Cluster: f.Name, AuthInfo: context}
	return nil
}

func (f clusterFiles) kubeconfig(name string) string {
	return filepath.Join(f.Dir, "kubeconfig", name+".yaml")
}

// mergeKubeconfigs joins the files named as arguments into the one of --out.
func mergeKubeconfigs(args []string) error {
	flags := flag.NewFlagSet("kubeconfig", flag.ExitOnError)
	out := flags.String("out", "", "the file to write")
	current := flags.String("current", "", "the current context")
	if err := flags.Parse(args); err != nil {
		return err
	}
	rules := clientcmd.ClientConfigLoadingRules{Precedence: flags.Args()}
	merged, err := rules.Load()
	if err != nil {
		return fmt.Errorf("merge %v: %w", flags.Args(), err)
	}
	merged.CurrentContext = *current
	return clientcmd.WriteToFile(*merged, *out)
}
