# Completions of reflect for PowerShell, generated from the command itself: dot-source it in your profile.

# DATA

Register-ArgumentCompleter -Native -CommandName reflect -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # As it may stand on the line, so that PowerShell reads it as that value and nothing else.
    function Protect-Value([string] $value) {
        if ($value -match '^[\w./:=+-]+$') { return $value }
        $marks = "['" + [char]0x2018 + [char]0x2019 + [char]0x201a + [char]0x201b + ']'
        return "'" + ($value -replace $marks, '$0$0') + "'"
    }
    function New-Offer([string] $value, [string] $about, [string] $before) {
        if (-not $value.StartsWith($word, [StringComparison]::Ordinal)) { return }
        $shown = if ($about) { $about } else { $value }
        [System.Management.Automation.CompletionResult]::new(
            $before + (Protect-Value $value), $value, 'ParameterValue', $shown)
    }
    function Get-Filling($kind, $choices, $before) {
        foreach ($one in $choices) { New-Offer $one '' $before }
        if ($kind -and $kind -ne 'files' -and $kind -ne 'texts') {
            foreach ($line in (& reflect __complete $kind $word @words 2>$null)) {
                $value, $about = $line -split "`t", 2
                New-Offer $value $about $before
            }
        }
    }

    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text } })
    $word = $wordToComplete.Trim("'", '"')
    $path = ''; $place = 0; $flag = ''; $ended = $false
    foreach ($one in $words) {
        $about = $script:ReflectCommands[$path]
        if ($flag) { $flag = ''; continue }
        if ($one -like '-?*' -and -not $ended) {
            if ($one -eq '--') { $ended = $true; continue }
            if ($about.Default) { $path = "$path $($about.Default)" }
            if ($script:ReflectValues.ContainsKey("$path $one")) { $flag = $one }
            continue
        }
        $names = for ($i = 0; $i -lt $about.Subcommands.Count; $i += 2) { $about.Subcommands[$i] }
        if ($place -eq 0 -and -not $ended -and $names -ccontains $one) { $path = "$path $one".Trim(); continue }
        $place += 1
    }
    $about = $script:ReflectCommands[$path]
    $before = ''
    if (-not $flag -and -not $ended -and $word -like '--*=*') {
        if ($about.Default) { $path = "$path $($about.Default)" }
        $flag, $word = $word -split '=', 2
        $before = "$flag="
    }
    if ($flag) {
        $value = $script:ReflectValues["$path $flag"]
        if ($value) { Get-Filling $value.Kind $value.Choices $before }
        return
    }
    if ($word -like '-*' -and -not $ended) {
        if ($about.Default) { $about = $script:ReflectCommands["$path $($about.Default)"] }
        for ($i = 0; $i -lt $about.Options.Count; $i += 2) { New-Offer $about.Options[$i] $about.Options[$i + 1] '' }
        return
    }
    if ($place -eq 0 -and -not $ended) {
        for ($i = 0; $i -lt $about.Subcommands.Count; $i += 2) {
            New-Offer $about.Subcommands[$i] $about.Subcommands[$i + 1] ''
        }
    }
    $last = $about.Places.Count - 1
    if ($last -lt 0) { return }
    if ($place -gt $last) {
        if (-not $about.Places[$last].EndsWith('*')) { return }
        $place = $last
    }
    $value = $script:ReflectValues["$path $place"]
    if ($value) { Get-Filling $value.Kind $value.Choices '' } else { Get-Filling $about.Places[$place].TrimEnd('*') @() '' }
}
