DELETE FROM frequency_positions WHERE partition = $1 AND position = $2
