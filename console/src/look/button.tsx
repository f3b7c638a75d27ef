import { Button as AriaButton, type ButtonProps } from 'react-aria-components'
import look from './look.module.css'

type Kind = 'plain' | 'primary' | 'quiet' | 'danger'
type Props = Omit<ButtonProps, 'className' | 'style'> & { kind?: Kind; square?: boolean }

/** @param props.square for a lone icon; give `aria-label` with it */
export function Button({ kind = 'plain', square = false, ...rest }: Props) {
  const classes = [look.button, kind !== 'plain' && look[kind], square && look.square]
  return <AriaButton {...rest} className={classes.filter(Boolean).join(' ')} />
}
