{{!-- every jockey's record is what a self-join of days on earlier days gives (several rides on one day); every day up to 20 million pairs of days, then a sample --}}
{{> check_person_record person="jockey" starts="jockey_total_rides"}}
