-- Whether there are links that link_days does not hold yet, and some that have not the times of their changes.
SELECT EXISTS (SELECT FROM attributions WHERE day IS NULL)        AS without_day,
       EXISTS (SELECT FROM attributions WHERE lead_times IS NULL) AS without_times;
