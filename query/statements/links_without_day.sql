-- Whether there is a link that link_days does not hold yet.
SELECT EXISTS (SELECT FROM attributions WHERE day IS NULL) AS some;
