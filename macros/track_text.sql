-- A track's name as a slug without sponsors: "bet365 Park Kyneton", "Sportsbet-Ballarat Synthetic", "Royal Randwick".
-- What is left is looked up in the seeds of tracks and aliases; circuits that are courses of their own keep their name.
create or replace macro track_text(track_name) as
    regexp_replace(
        regexp_replace(
            slug(track_name),
            '^((royal|the|ladbrokes|sportsbet|bet365|tab|tabtouch|tabcorp|neds|pointsbet|unibet|betfair|betr|dabble|picklebet|swiftbet|bluebet|topsport|palmerbet|betdeluxe|boombet|betright|elitebet|playup|aquis|southside|apiam|jayco|thomas-farms-rc|racing-com|carlton-draught)-(park-)?)+', ''
        ),
        '(-(synthetic|poly|polytrack|tapeta|all-weather|aw|awt|inner|outer|turf|dirt|racecourse|race-course|racetrack|races|turf-club|jockey-club|race-club|racing-club))+$', ''
    );
