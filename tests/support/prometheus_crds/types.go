// Package prometheuscrds names the types whose definitions are made.
package prometheuscrds

import _ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
