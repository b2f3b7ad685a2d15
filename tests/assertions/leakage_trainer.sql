{{!-- every trainer's record is what a self-join of days on earlier days gives (several runners in one race); every day up to 20 million pairs of days, then a sample --}}
{{> check_person_record person="trainer" starts="trainer_total_runners"}}
