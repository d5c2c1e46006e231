# The long way through a method call: with trace, Callbacks, Profile or taint checks on. Slower, otherwise the same.
package DBI::Bridge;

use strict;
use warnings;
no warnings 'redefine';

our $DEPTH = 0;

# how each method is to be called
my %USAGE = (
    'common/set_err'             => '$err, $errmsg [, $state, $method, $rv]',
    'common/trace'               => '[$level, [$filename]]',
    'common/debug'               => '[$debug_level]',
    'common/trace_msg'           => '$message_text [, $min_level ]',
    'common/parse_trace_flags'   => '$string',
    'common/parse_trace_flag'    => '$name',
    'common/dump_handle'         => '[$message [, $level]]',
    'common/swap_inner_handle'   => '$h [, $allow_reparent ]',
    'common/visit_child_handles' => '$coderef [, $info ]',
    'dr/connect'                 => '[$db [,$user [,$passwd [,\%attr]]]]',
    'dr/connect_cached'          => '[$db [,$user [,$passwd [,\%attr]]]]',
    'dr/data_sources'            => '[\%attr]',
    'dr/default_user'            => '$user, $pass [, \%attr]',
    'db/data_sources'            => '[\%attr]',
    'db/clone'                   => '[\%attr]',
    'db/connected'               => '[\%attr]',
    'db/begin_work'              => '[\%attr]',
    'db/do'                      => '$statement [, \%attr [, @bind_params ] ]',
    'st/last_insert_id'          => '[$catalog [,$schema [,$table_name [,$field_name [, \%attr ]]]]]',
    'db/last_insert_id'          => '[$catalog [,$schema [,$table_name [,$field_name [, \%attr ]]]]]',
    'db/preparse'                => '$statement, $return, $accept',
    'db/prepare'                 => '$statement [, \%attr]',
    'db/prepare_cached'          => '$statement [, \%attr [, $if_active ] ]',
    'db/selectall_hashref'       => '$statement, $keyfield [, \%attr [, @bind_params ] ]',
    'db/quote'                   => '$string [, $data_type ]',
    'db/quote_identifier'        => '$name [, ...] [, \%attr ]',
    'db/tables'                  => '[$catalog [, $schema [, $table [, $type [, \%attr ]]]]]',
    'db/table_info'              => '$catalog, $schema, $table, $type [, \%attr ]',
    'db/column_info'             => '$catalog, $schema, $table, $column [, \%attr ]',
    'db/primary_key_info'        => '$catalog, $schema, $table [, \%attr ]',
    'db/primary_key'             => '$catalog, $schema, $table [, \%attr ]',
    'db/foreign_key_info'       => '$pk_catalog, $pk_schema, $pk_table, $fk_catalog, $fk_schema, $fk_table [, \%attr ]',
    'db/statistics_info'        => '$catalog, $schema, $table, $unique_only, $quick, [, \%attr ]',
    'db/type_info'              => '$data_type',
    'db/get_info'               => '$info_type',
    'st/bind_col'               => '$column, \$var [, \%attr]',
    'st/bind_columns'           => '\$var1 [, \$var2, ...]',
    'st/bind_param'             => '$parameter, $var [, \%attr]',
    'st/bind_param_inout'       => '$parameter, \$var, $maxlen, [, \%attr]',
    'st/execute'                => '[@args]',
    'st/bind_param_array'       => '$parameter, $var [, \%attr]',
    'st/bind_param_inout_array' => '$parameter, \@var, $maxlen, [, \%attr]',
    'st/execute_array'          => '\%attribs [, @args]',
    'st/execute_for_fetch'      => '$fetch_sub [, $tuple_status]',
    'st/fetchall_arrayref'      => '[ $slice [, $max_rows]]',
    'st/fetchall_hashref'       => '$key_field',
    'st/blob_read'              => '$field, $offset, $len [, \$buf [, $bufoffset]]',
    'st/blob_copy_to_file'      => '$field, $filename_or_handleref',
    'st/dump_results'           => '$maxfieldlen, $linesep, $fieldsep, $filehandle',
    (
        map { ("db/$_" => '$statement [, \%attr [, @bind_params ] ]') }
            qw(selectrow_array selectrow_arrayref selectrow_hashref selectall_arrayref
            selectall_array selectcol_arrayref)
    ),
    'st/fetchrow_hashref' => '[$name]',
);

sub usage_error {    # ($method, number of arguments with the handle); $i tells dr, db or st
    my ($name, $got, $type) = @_;
    my $entry = $type && $DBI::DISPATCH{"$type/$name"} || $DBI::DISPATCH{$name};
    my (undef, $min, $max, undef, $usage) = @$entry;
    if (!defined $usage) {
        ($usage) = map { $USAGE{"$_/$name"} } grep { defined $USAGE{"$_/$name"} } $type || 'common', qw(common db st dr)
    }
    $usage = '' if !defined $usage;
    croak(
        sprintf
"DBI %s: invalid number of arguments: got handle + %d, expected handle + between %d and %d\nUsage: \$h->%s(%s)",
        $name, $got - 1, $min, $max > 1e8 ? -1 : $max, $name, $usage
    );
}

my %QUIET =
    map { $_ => 1 } qw(FETCH STORE err errstr state DESTROY trace trace_msg set_err parse_trace_flags parse_trace_flag);

sub level_of {
    my ($i) = @_;
    my ($own, $all) = (($i->{TraceLevel} || 0) & 15, $DBI::dbi_debug & 15);
    return $own > $all ? $own : $all;
}

sub show_args {
    my @args = @_;
    return join ' ', map { ref $_ ? "$_" : DBI::neat($_) } @args;
}

sub trace_enter {
    my ($i, $name, $h, @args) = @_;
    my $code  = $i->{ImplementorClass}->can($name);
    my $where = '';
    if ($code && !defined &{"$i->{ImplementorClass}::$name"}) {
        for my $class (qw(DBD::_::st DBD::_::db DBD::_::dr DBD::_::common)) {
            no strict 'refs';
            if (defined &{"${class}::$name"} && \&{"${class}::$name"} == $code) { $where = "in $class "; last }
        }
    }
    if ($name =~ /^connect/)                        { $args[2] = '****' if defined $args[2] }
    if ($name eq 'connect' || $name eq 'connected') { $args[2] = '****' if @args > 2 }
    my $who = tied(%$h) ? "$h~" . sprintf('0x%x', 0 + $i) : "$h~INNER";
    trace_print(($DEPTH ? "$DEPTH" : ' ')
        . '   -> '
            . "$name ${where}for $i->{ImplementorClass} ($who"
            . (@args ? ' ' . show_args(@args) : '')
            . ")\n");
    return;
}

sub trace_leave {
    my ($i, $name, $list, @rv) = @_;
    my $err = ${ $i->{Err} };
    if (defined $err && length $err && $name !~ /^(?:err|errstr|state)\z/) {
        trace_print(sprintf "    %s %s: %s %s\n", '!!', $err ? 'ERROR' : 'WARNING', $err, DBI::neat(${ $i->{Errstr} }));
    }
    @rv = $rv[0] if !$list;
    trace_print(
        ($DEPTH ? "$DEPTH" : ' ') . "   <- $name= ( " . show_args(@rv) . ' ) [' . @rv . ' items]' . at_caller());
    return;
}

# watched($method, $handle, @args): the body of a dispatcher with everything looked at
sub watched {
    my $name = shift;
    my $h    = $_[0];
    DBI::Bridge::revive($h) if $DBI::ENDING;
    my $i     = tied(%$h) || $h;
    my $type  = $i->{Type};
    my $entry = $DBI::DISPATCH{"$type/$name"} || $DBI::DISPATCH{$name};
    my ($min, $max, $flags) = $entry ? @$entry[1 .. 3] : (0, -1, DBI::KEEP());
    $flags |= DBI::KEEP()                if $QUIET{$name};
    usage_error($name, scalar @_, $type) if tied %$h && (@_ < $min + 1 || $max >= 0 && @_ > $max + 1);
    my $imp_name = $name;
    my $code     = $i->{ImplementorClass}->can($name) || no_method($i, $name);
    my $me       = $i->{bridge_me};
    my $nested   = $DBI::IN && ($DBI::IN == $i || $i->{bridge_parent} && $DBI::IN == $i->{bridge_parent});
    my $keep     = $flags & DBI::KEEP();
    my ($had, $count) = (${ $me->[1] }, $i->{ErrCount});
    my $list = wantarray;
    my @rv;

    if ($i->{TaintIn} && ${^TAINT} && !$nested && tied %$h && $name !~ /^(?:FETCH|STORE|DESTROY)\z/) {
        for my $at (1 .. $#_) {
            croak("Insecure dependency in parameter $at of $h" . "->$name method call") if is_tainted($_[$at])
        }
    }
    my $tracing = level_of($i);
    my $show    = $tracing && ($tracing > ($nested || !tied %$h ? 1 : 0) + ($QUIET{$name} ? 2 : 0));

    if (!$nested) {
        $DBI::LAST = $me if $name ne 'DESTROY';
        if (!$keep && defined ${ $me->[1] }) {
            trace_print(
                sprintf "    !! The %s '%s' was CLEARED by call to %s method\n",
                ${ $me->[1] } ? 'ERROR' : 'warn', ${ $me->[1] }, $name
            ) if $tracing && ${ $me->[1] };
            ${ $me->[1] } = ${ $me->[2] } = ${ $me->[3] } = undef;
        }
    }
    my $skip;
    if (my $callbacks = tied %$h ? $i->{Callbacks} : undef) {
        my $callback = $callbacks->{$name} || ($name =~ /^(?:DESTROY|FETCH|STORE)\z/ ? undef : $callbacks->{'*'});
        if ($callback) {
            local $_ = $name;
            trace_print("    {{ $name callback " . DBI::neat("$callback") . " being invoked\n") if $tracing;
            my @answer = do { local $DBI::IN = $i; $callback->(@_) };
            trace_print("    }} $name callback "
                    . DBI::neat("$callback")
                    . ' returned'
                    . (defined $_ ? '' : ' and stops the call') . "\n")
                if $tracing;
            if (!defined $_) { @rv = $list ? @answer : $answer[-1]; $skip = 1 }
            elsif (@answer) {
                die "Callback for $name returned "
                    . @answer
                    . " values but must not return any (temporary restriction in current version)"
                    . at_caller()
            }
        }
    }
    if (!$skip) {
        if ($flags & ~(DBI::KEEP() | DBI::ROWS())) { before($i, $flags, $_[1]) }
        trace_enter($i, $name, @_) if $show;
        my $started    = $i->{Profile} && !$nested ? now() : undef;
        my $keep_outer = shift;
        {
            local $DBI::IN = $i;
            local $DEPTH   = $DEPTH + 1;
            if ($name eq 'fetch' || $name eq 'fetchrow_arrayref') { $rv[0] = watched_fetch($i, $code) }
            elsif ($list)                                         { @rv    = $code->($i, @_) }
            else                                                  { $rv[0] = $code->($i, @_) }
        }
        if ($flags & (DBI::ROWS() | DBI::ENDWORK())) { after($i, $flags) }
        profile_call($i, $keep_outer, $name, $started) if defined $started && $i->{Profile};
        if ($i->{TaintOut} && ${^TAINT}) { taint(@rv) }
    }
    trace_leave($i, $name, $list, @rv) if $show;
    if (   !$nested
        && defined ${ $me->[1] }
        && (!$keep || $name eq 'set_err' || !defined $had || $i->{ErrCount} > $count || $had ne ${ $me->[1] }))
    {
        @_ = ($i, $name, $list, @rv);
        goto &report;
    }
    return $list ? @rv : $rv[0];
}

sub watched_fetch {
    my ($i, $code) = @_;
    return DBI::Bridge::next_row($i);
}

sub now { require Time::HiRes; return Time::HiRes::time() }

sub is_tainted {
    my ($value) = @_;
    return if !defined $value || ref $value;
    local ($@, $SIG{__DIE__});
    return !eval { my $empty = substr "$value", 0, 0; eval "# $empty"; 1 };
}

my $TAINT;

sub taint {    # marks the values of a result
    $TAINT = substr "$^X$0", 0, 0 if !defined $TAINT;
    for my $value (@_) {
        if (!defined $value) { next }
        elsif (ref $value eq 'ARRAY') {
            for (@$value) { $_ .= $TAINT if defined $_ && !ref $_ }
        }
        elsif (ref $value eq 'HASH') {
            for (values %$value) { $_ .= $TAINT if defined $_ && !ref $_ }
        }
        elsif (!ref $value) { $value .= $TAINT }
    }
    return;
}

1;
