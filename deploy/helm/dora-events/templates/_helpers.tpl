{{- define "dora.name" -}}
{{- if contains "dora" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-dora" (.Release.Name | trunc 35 | trimSuffix "-") }}{{ end }}
{{- end }}

{{/* Labels that select pods: a dictionary of `root` and `part`. */}}
{{- define "dora.selector" -}}
app.kubernetes.io/name: dora-events
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "dora.labels" -}}
{{ include "dora.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "dora.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "dora.kafka" -}}
{{ .Values.kafka.bootstrapServers | default (printf "%s-kafka:9092" (include "dora.name" .)) }}
{{- end }}

{{/* What a worker enters with: a role of its own where one is named, else the owner of the tables. */}}
{{- define "dora.workerKey" -}}
{{ if or (not .Values.postgres.existingSecret) .Values.postgres.roles.worker }}worker-url{{ else }}owner-url{{ end }}
{{- end }}

{{/* The secret with the keys owner-url, worker-url and reader-url. */}}
{{- define "dora.postgresSecret" -}}
{{ .Values.postgres.existingSecret | default (printf "%s-postgres" (include "dora.name" .)) }}
{{- end }}

{{/* What Pod Security's level "restricted" asks of a pod; the processes never speak to the API server. */}}
{{- define "dora.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "dora.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
  {{- if .readOnly }}
  readOnlyRootFilesystem: true
  {{- end }}
{{- end }}

{{/* The beginning of the specification of every pod that runs our image. */}}
{{- define "dora.pod" -}}
{{ include "dora.podSecurity" (dict "user" 10001) }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "dora.container" -}}
image: {{ include "dora.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{ include "dora.containerSecurity" (dict "readOnly" true) }}
{{- end }}

{{/* DORA_POSTGRES from a key of the secret: a dictionary of `root` and `key`. */}}
{{- define "dora.postgresEnvironment" -}}
- name: DORA_POSTGRES
  valueFrom:
    secretKeyRef: {name: {{ include "dora.postgresSecret" .root }}, key: {{ .key }}}
{{- end }}

{{/* Where Kafka is, and who enters it: a dictionary of `root` and `identity`. */}}
{{- define "dora.kafkaEnvironment" -}}
{{- $kafka := .root.Values.kafka }}
{{- $identity := index $kafka .identity }}
- {name: DORA_KAFKA, value: {{ include "dora.kafka" .root | quote }}}
- {name: DORA_PARTITIONS, value: {{ .root.Values.partitions | quote }}}
{{- with .root.Values.topicPrefix }}
- {name: DORA_TOPIC_PREFIX, value: {{ . | quote }}}
{{- end }}
{{- if ne $kafka.security "PLAINTEXT" }}
{{- if not $kafka.bootstrapServers }}
{{- fail "kafka.security: the chart's own broker speaks plain text; name yours in kafka.bootstrapServers" }}
{{- end }}
- {name: DORA_KAFKA_SECURITY, value: {{ $kafka.security }}}
{{- if hasPrefix "SASL" $kafka.security }}
{{- if not $identity.secret }}
{{- fail (printf "kafka.%s.secret: name the secret with the key password of %s" .identity $identity.username) }}
{{- end }}
- {name: DORA_KAFKA_MECHANISM, value: {{ $kafka.mechanism }}}
- {name: DORA_KAFKA_USERNAME, value: {{ $identity.username | quote }}}
- {name: DORA_KAFKA_PASSWORD_FILE, value: /etc/dora-kafka/password}
{{- else if $identity.secret }}
- {name: DORA_KAFKA_CERTIFICATE_FILE, value: /etc/dora-kafka/tls.crt}
- {name: DORA_KAFKA_KEY_FILE, value: /etc/dora-kafka/tls.key}
{{- end }}
{{- if $kafka.caSecret }}
- {name: DORA_KAFKA_CA_FILE, value: /etc/dora-kafka-ca/ca.crt}
{{- end }}
{{- end }}
{{- end }}

{{/* The files that this takes; both of a dictionary of `root` and `identity`. */}}
{{- define "dora.kafkaMounts" -}}
{{- if (index .root.Values.kafka .identity).secret }}
- {name: kafka, mountPath: /etc/dora-kafka, readOnly: true}
{{- end }}
{{- if .root.Values.kafka.caSecret }}
- {name: kafka-ca, mountPath: /etc/dora-kafka-ca, readOnly: true}
{{- end }}
{{- end }}

{{- define "dora.kafkaVolumes" -}}
{{- with (index .root.Values.kafka .identity).secret }}
- {name: kafka, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- with .root.Values.kafka.caSecret }}
- {name: kafka-ca, secret: {secretName: {{ . }}}}
{{- end }}
{{- end }}

{{- define "dora.settings" -}}
{{- range $name, $value := . }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "dora.probes" -}}
# A start may wait for Kafka or PostgreSQL, and a worker reads its tables back; then progress is asked for.
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}

{{- define "dora.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "dora.selector" . | nindent 8 }}
{{- end }}

{{/* When a job runs: before the release where the stores are elsewhere. The chart's own stores are made with the
     release, so there the job is part of it, under a name of its revision; hooks would wait for what waits for them. */}}
{{- define "dora.jobMetadata" -}}
{{- if .own }}
name: {{ include "dora.name" .root }}-{{ .part }}-{{ .root.Release.Revision }}
{{- else }}
name: {{ include "dora.name" .root }}-{{ .part }}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
labels: {{ include "dora.labels" . | nindent 2 }}
{{- end }}
