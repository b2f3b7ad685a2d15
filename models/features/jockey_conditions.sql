{{!-- one row per starter: its jockey's record before the day of the race, under conditions like those of the race --}}
{{> person_conditions person="jockey" start="ride" prior=(var "jockey_prior_rides")}}
