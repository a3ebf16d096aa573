#!/bin/bash
# As the official image: KAFKA_A_B=x is the property a.b=x, and the folder is formatted with CLUSTER_ID when it is new.
set -euo pipefail
properties=/tmp/server.properties
: > "$properties"
while IFS='=' read -r name value; do
  case $name in
    KAFKA_HEAP_OPTS | KAFKA_OPTS) ;;
    KAFKA_*) echo "$(tr 'A-Z_' 'a-z.' <<< "${name#KAFKA_}")=$value" >> "$properties" ;;
  esac
done < <(env)
grep -q '^log.dirs=' "$properties" || echo log.dirs=/tmp/kraft-logs >> "$properties"
folder=$(sed -n 's/^log.dirs=//p' "$properties")
read -ra heap <<< "${KAFKA_HEAP_OPTS:--Xmx512m}"
java=(/opt/java/bin/java "${heap[@]}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "/opt/kafka/libs/*")
[ -f "$folder/meta.properties" ] ||
  "${java[@]}" kafka.tools.StorageTool format -t "${CLUSTER_ID:-4L6g3nShT-eMCtK--X86sw}" -c "$properties"
exec "${java[@]}" kafka.Kafka "$properties"
