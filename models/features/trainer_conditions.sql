{{!-- one row per starter: its trainer's record before the day of the race, under conditions like those of the race --}}
{{> person_conditions person="trainer" start="runner" prior=(var "trainer_prior_runners")}}
