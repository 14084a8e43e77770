package main

import "fmt"

// seedValues is what the manifests can name, so that the clusters differ: much
// is the same in all, some things are in one only, and some have other values.
type seedValues struct {
	// Cluster is the cluster's name, as in eu-1.
	Cluster string
	// Region is the part of the name before the dash.
	Region string
	// Index counts the clusters from 0.
	Index int
	// MetricsPort is where metrics-server listens; 0 where there is none.
	MetricsPort int
}

// seedNode is one of the nodes that kwok plays.
type seedNode struct {
	Name         string
	Zone         string
	InstanceType string
	Address      string
	PodCIDR      string
	Cordoned     bool
	Down         bool
}

// Nodes are three of them over three zones, and a cordoned fourth.
func (v seedValues) Nodes() []seedNode {
	zones := []string{"a", "b", "c", "a"}
	nodes := make([]seedNode, 0, len(zones))
	for i, zone := range zones {
		nodes = append(nodes, seedNode{
			Name:         fmt.Sprintf("%s-worker-%d", v.Cluster, i),
			Zone:         zone,
			InstanceType: []string{"m7.large", "m7.xlarge"}[i%2],
			Address:      fmt.Sprintf("10.%d.0.%d", v.Index+1, i+10),
			PodCIDR:      fmt.Sprintf("10.%d.%d.0/24", v.Index+100, i),
			Cordoned:     i == 3,
			Down:         i == 2 && v.Index == 1,
		})
	}
	return nodes
}

// WebReplicas differs from cluster to cluster.
func (v seedValues) WebReplicas() int { return []int{3, 4, 2}[v.Index%3] }

// CrashingReplicas makes one cluster much worse off than the others.
func (v seedValues) CrashingReplicas() int { return []int{1, 3, 1}[v.Index%3] }

// WebVersion is behind in one cluster of three.
func (v seedValues) WebVersion() string { return []string{"1.8.2", "1.8.2", "1.8.1"}[v.Index%3] }

// LatencyMs is some number that differs.
func (v seedValues) LatencyMs() int { return 12 + 31*v.Index }
