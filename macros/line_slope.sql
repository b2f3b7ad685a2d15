-- Slope of the straight line of least squares from sums of x, y, x*y and x*x. NULL under two values.
create or replace macro line_slope(values_count, sum_x, sum_y, sum_xy, sum_xx) as
    case
        when values_count >= 2
            then (values_count * sum_xy::double - sum_x::double * sum_y::double)
                / nullif(values_count * sum_xx::double - sum_x::double * sum_x::double, 0)
    end;
