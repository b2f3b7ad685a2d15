-- Sample standard deviation from sums. Exact sums (of integers or decimals) make it the same whatever the order
-- in which a window adds up, which stddev_samp is not in its last bits. NULL under two values.
create or replace macro sample_spread(values_count, total, squares) as
    case
        when values_count >= 2
            then sqrt(
                greatest(squares::double - total::double * total::double / values_count, 0)
                / (values_count - 1)
            )
    end;
